"""Round every step with inputs, where the TaskManager has ``check_mutation``: a step must not change what it was given.

    TaskManager(check_mutation=True)        taskrun run flow.task.xml --check-mutation

Rules: for development. What a step gives is recorded when it ends, so a value that a later step changes in place differs
in a resumed run. Inputs are compared, before and after the step, as the text that would be recorded of them; what has
none is copied and compared where its class knows how; all else is left out. A step that failed is not looked at, and
neither is one that only reads variables without declaring them as inputs. No ``allowFailure`` holds the error.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from taskrun.codec.codec import Codecs
from taskrun.codec.script_views import RESULT_CODECS
from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.weave import WeaveSettings
from taskrun.durable.recorder import Recorder
from taskrun.errors import ChangedInputError, UnsavableValueError


class Before(NamedTuple):
    """An input as it was: the value itself, and its text, or a copy of it where it has none."""

    name: str
    value: Any
    text: str | None
    copied: Any


@decorator("checkMutation", rank=110)
class CheckMutation(ImpliedDecorator):
    """A look at the inputs before and after the step."""

    names: tuple[str, ...]

    @classmethod
    def implied(cls, step: Step, settings: WeaveSettings) -> CheckMutation | None:
        """Round every step with inputs, when that is asked for."""
        if not settings.check_mutation or settings.root or settings.outermost is not None:
            return None
        names = tuple(item.name for item in step.inputs if not step.traits.requests(step, item))
        return cls(names=names) if names else None

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step, then compare."""
        journal = frame.run.journal
        codecs = journal.codecs if isinstance(journal, Recorder) else Codecs(RESULT_CODECS)
        before = list(self._before(frame, codecs))
        done = await inner(frame)
        changed = [one.name for one in before if _differs(one, codecs)]
        if changed:
            raise ChangedInputError(frame.path, changed)
        return done

    def _before(self, frame: Frame, codecs: Codecs) -> Iterator[Before]:
        for name in self.names:
            value = frame.scope.get(name)
            if value is None or isinstance(value, _FIXED):
                continue
            try:
                yield Before(name, value, codecs.dumps(value), None)
            except UnsavableValueError:
                try:
                    copied = copy.deepcopy(value)
                    if value == copied:  # else something in it cannot be compared
                        yield Before(name, value, None, copied)
                except Exception:  # noqa: BLE001, S112 - a class of the user's that cannot be copied is left out
                    continue


_FIXED = (str, bytes, int, float, complex, frozenset)


def _differs(before: Before, codecs: Codecs) -> bool:
    try:
        if before.text is None:
            return bool(before.value != before.copied)
        return codecs.dumps(before.value) != before.text
    except UnsavableValueError:
        return True  # something was put into it
    except Exception:  # noqa: BLE001 - a class of the user's that cannot be compared is left out
        return False
