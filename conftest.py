"""What holds for every test."""

pytest_plugins = ["tests.counts", "tests.message_watch", "tests.log_watch"]
