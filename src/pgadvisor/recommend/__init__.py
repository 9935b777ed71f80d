"""Pure: findings and a workload in, ranked recommendations out."""

from pgadvisor.recommend.rank import recommend

__all__ = ["recommend"]
