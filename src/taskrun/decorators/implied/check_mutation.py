"""Mutation check: a step fails when it changes the value of an input in place.

    TaskManager(check_mutation=True)        taskrun run flow.task.xml --check-mutation

Why: the outputs of a step are recorded when it ends. If a later step changes such a value in place, a resumed run gets
the recorded value without the change. The check finds such steps during development.

Rules: the inputs are converted to the JSON text that would be recorded, before and after the step, and the texts are
compared. A value that cannot be recorded is copied before the step, and compared with its copy; if its class does not
support that, it is not checked. A step that failed is not checked, nor are variables that a step reads without
declaring them as inputs. ``allowFailure`` of the step does not handle the error.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

from taskrun.codec.codec import Codecs
from taskrun.codec.script_views import RESULT_CODECS
from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.durable.recorder import Recorder
from taskrun.errors import ChangedInputError, UnsavableValueError


class Snapshot(NamedTuple):
    """State of an input before the step: its JSON text, or a copy of the value if it cannot be recorded as JSON."""

    name: str
    value: Any
    text: str | None
    copied: Any


@decorator("checkMutation", rank=110)
class CheckMutation(ImpliedDecorator):
    """Implied decorator that compares the inputs before and after the step, and fails the step if one has changed."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(implied_in=("check_mutation",), belongs_to_call=True)

    names: tuple[str, ...]

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> CheckMutation | None:
        """Return the decorator for a step with inputs, None for others; called only if the check is switched on."""
        names = tuple(item.name for item in step.inputs if not step.traits.requests(step, item))
        return cls(names=names) if names else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step and return its completion; raises ChangedInputError if it changed an input in place."""
        journal = frame.run.journal
        codecs = journal.codecs if isinstance(journal, Recorder) else Codecs(RESULT_CODECS)
        snapshots = list(self._snapshots(frame, codecs))
        done = await inner(frame)
        changed = [one.name for one in snapshots if _differs(one, codecs)]
        if changed:
            raise ChangedInputError(frame.path, changed)
        return done

    def _snapshots(self, frame: Frame, codecs: Codecs) -> Iterator[Snapshot]:
        """Yield a snapshot of each input whose value can change and can be compared; ``codecs`` make the JSON texts."""
        for name in self.names:
            value = frame.scope.get(name)
            if value is None or isinstance(value, _FIXED):
                continue
            try:
                yield Snapshot(name, value, codecs.dumps(value), None)
            except UnsavableValueError:
                try:
                    copied = copy.deepcopy(value)
                    if value == copied:  # else a part of it cannot be compared
                        yield Snapshot(name, value, None, copied)
                except Exception:  # noqa: BLE001, S112 - a class of the user's that cannot be copied is left out
                    continue


_FIXED = (str, bytes, int, float, complex, frozenset)


def _differs(snapshot: Snapshot, codecs: Codecs) -> bool:
    """Return whether the value has changed since the snapshot of it was made; False if it cannot be compared."""
    try:
        if snapshot.text is None:
            return bool(snapshot.value != snapshot.copied)
        return codecs.dumps(snapshot.value) != snapshot.text
    except UnsavableValueError:
        return True  # a value that cannot be recorded was added
    except Exception:  # noqa: BLE001 - a class of the user's that cannot be compared is left out
        return False
