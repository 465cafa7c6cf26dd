"""Recorded runs: their execution, their records, and the operations on them, such as resume and cancel.

It may import ``core``, ``codec``, ``result`` and ``class_api``, but neither ``stores`` nor ``steps``. Read in this
order:

    session        start, execute and finish a run           operations     resume, rerun, cancel and suspend runs
    recorder       the journal in terms of values            replay         which records a resumed run replays
    journal        buffered writes, shared commits           resume_inputs  checks of the inputs of a resume
    store          the interface of databases                compensation   rollback of completed steps
    records        the stored data of a run                  history        list, show and delete runs

The others belong to these: ``finish``, ``heartbeat``, ``store_client``, ``discard_branches``, ``step_paths``,
``error_records``, ``revive_exception``, ``run_tree``.
"""
