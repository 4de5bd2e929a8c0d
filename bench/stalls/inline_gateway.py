"""The gateway as it would be if it compressed everything in its event loop."""

import sys

from gateway.__main__ import main
from reportcast.contracts import body

body.INLINE_BYTES = sys.maxsize

if __name__ == "__main__":
    main()
