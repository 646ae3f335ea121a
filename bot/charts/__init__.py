"""Charts of what was spent: plain data in, a PNG out.

Owns how a chart looks, and `Charts`, which has it drawn in a process of its own: the plotting
library is imported in that process only, and the process ends when nobody wants a chart for a
while. Which sums a chart shows is `bot.report_charts`' business.
"""

from bot.charts._charts import Charts
from bot.charts._types import MOST_MEMBERS, MOST_SERIES, Chart, ChartUnavailable, Series

__all__ = ["MOST_MEMBERS", "MOST_SERIES", "Chart", "ChartUnavailable", "Charts", "Series"]
