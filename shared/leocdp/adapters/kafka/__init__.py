"""The distributed event log: Apache Kafka through aiokafka."""
