"""/healthz, /readyz and /metrics: what an orchestrator and Prometheus ask."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from pgadvisor import __version__
from pgadvisor.api.context import Context
from pgadvisor.api.problems import problem_responses
from pgadvisor.api.schemas import Health

__all__ = ["health_router"]


def health_router(registry: CollectorRegistry) -> APIRouter:
    """The routes, with the metrics of that registry."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    def get_health() -> Health:
        """The process is alive."""
        return Health(status="ok", version=__version__)

    @router.get("/readyz", responses=problem_responses())
    def get_readiness(door: Context) -> Health:
        """The store can be reached and has this version's schema; else a 503 problem."""
        door.store.check()
        return Health(status="ok", version=__version__)

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def get_metrics() -> Response:
        """Metrics for Prometheus; `pgadvisor_store_up` is 0 while the store does not answer."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
