"""Settings of the test tools that hold for every test."""

from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine that the tests share, nothing about what they test.
settings.register_profile("nabiz", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nabiz")

pytest_plugins = ["tests.servers_fixture"]
