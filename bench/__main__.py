"""`python -m bench`: the spine, the one benchmark that there is."""

import sys

from bench.spine import main

sys.exit(main())
