"""A demo that is real: a private PostgreSQL, a shop with skewed data, a workload with sins.

`demo_cluster` starts the target and builds the shop, `run_workload` runs its clients, `measure`
times single statements before and after a change. All report to a `Progress` and end on an
event; nothing is printed here.
"""

from pgadvisor.demo.measure import Comparison, Timing, compare, measure, statement_names
from pgadvisor.demo.shop import Progress, Shop, ShopSize, build_shop
from pgadvisor.demo.statements import STATEMENTS, Statement
from pgadvisor.demo.stopping import Stopped
from pgadvisor.demo.target import DemoTarget, demo_cluster
from pgadvisor.demo.workload import Latency, WorkloadFailed, WorkloadResult, run_workload

__all__ = [
    "STATEMENTS",
    "Comparison",
    "DemoTarget",
    "Latency",
    "Progress",
    "Shop",
    "ShopSize",
    "Statement",
    "Stopped",
    "Timing",
    "WorkloadFailed",
    "WorkloadResult",
    "build_shop",
    "compare",
    "demo_cluster",
    "measure",
    "run_workload",
    "statement_names",
]
