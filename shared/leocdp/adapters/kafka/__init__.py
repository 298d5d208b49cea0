"""The distributed event log: Apache Kafka through aiokafka."""

import logging

# The driver has a line for each attempt and partition while a broker is away. What matters of it is raised, or in our
# own lines; who wants all of it sets its level before.
_driver = logging.getLogger("aiokafka")
if _driver.level == logging.NOTSET:
    _driver.setLevel(logging.CRITICAL)
