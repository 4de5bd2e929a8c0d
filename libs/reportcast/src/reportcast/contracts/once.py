"""An attribute that is made when it is first asked for. Pure."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """
    As ``functools.cached_property``, without its lock, which in Python 3.11 all objects share.

    With that lock, a thread that deflates a large body stops the event loop where it asks for those of a small one. Can
    go with Python 3.11.

    Args:
        make: Makes the attribute; two threads that ask for it at the same time both do.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> T:
        made: T = self._make(instance)
        # From here on the attribute is found before this is asked.
        vars(instance)[self._name] = made
        return made
