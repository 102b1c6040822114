"""Settings of the test run itself; the fixtures are in tests/conftest.py."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Two cores and a real database make single examples slow at times: a deadline would only make noise.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", parent=settings.get_profile("default"), max_examples=5_000)
settings.load_profile("default")
