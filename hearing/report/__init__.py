"""Reports: what was heard against the truth, as one HTML page, and which of two ways of hearing is better.

=================  ==================================================================================================
`material`         recordings, bags and runs are found and read
`mistakes`         what was misheard, missed, made up and given to the wrong person, utterance by utterance
`comparison`       paired bootstrap over recordings
`pictures`         time line, directions, confusions, latencies
`page`             the page
=================  ==================================================================================================
"""

from hearing.report.comparison import Comparison, compare
from hearing.report.page import write_report

__all__ = ["Comparison", "compare", "write_report"]
