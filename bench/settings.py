"""The site's own settings with one more address: the bare insert that the trigger is measured against.

With `BENCH_BARE=1` the middleware goes as well, so that the bare view is as bare as Django can be.
"""

import os

from fieldcamp.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
if os.environ.get("BENCH_BARE") == "1":
    MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]  # it refuses to start without
