"""Recorded runs: their execution, their records, and the operations on them, such as resume and cancel.

It may import ``core``, ``codec``, ``result`` and ``class_api``, but neither ``stores`` nor ``steps``. Begin with
``session`` and read in this order:

    session         start, execute and finish a run          operations      resume, rerun, cancel and suspend runs
    recorder        the journal in terms of values           replay          the records that a resumed run replays
    journal         the records and writes of one run        resume_inputs   checks of the inputs of a resume
    commit_groups   one commit for several journals          compensation    rollback of completed steps
    store           the interface of databases               history         list, show and delete runs
    records         the stored data of a run                 run_tree        the tree of the steps of a run

The others belong to these: ``finish``, ``heartbeat``, ``store_client``, ``flow_source``, ``discard_branches``,
``step_paths``, ``error_records`` and ``revive_exception``.
"""
