"""What holds for every test."""

pytest_plugins = ["tests.message_watch", "tests.log_watch"]
