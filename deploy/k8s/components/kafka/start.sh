#!/bin/bash
# Starts one node of the cluster: formats its folder the first time, then becomes the broker. Needs
#
#   NODE_ID, CLUSTER_ID, VOTERS (id@host:port,…), ADVERTISED (host of this node), DATA, PASSWORDS (a folder with the files
#   client and broker); may be given: CLIENT_PORT, CONTROLLER_PORT, BROKER_PORT, BIND, CONFIG, KAFKA_BIN.
#
# Clients log in as leocdp with SCRAM-SHA-512, which never shows a password on the wire. Brokers log in to each other with
# PLAIN: users of SCRAM are known to a cluster only when it runs, and it cannot run before brokers know each other.
set -euo pipefail
umask 077

bin=${KAFKA_BIN:-/opt/kafka/bin}
config=${CONFIG:-/tmp/server.properties}
bind=${BIND:-}
client_port=${CLIENT_PORT:-9092}
controller_port=${CONTROLLER_PORT:-9093}
broker_port=${BROKER_PORT:-9094}
client=$(<"$PASSWORDS/client")
broker=$(<"$PASSWORDS/broker")
plain=org.apache.kafka.common.security.plain.PlainLoginModule
scram=org.apache.kafka.common.security.scram.ScramLoginModule

cat > "$config" <<END
node.id=$NODE_ID
process.roles=broker,controller
controller.quorum.voters=$VOTERS
listeners=CLIENT://$bind:$client_port,CONTROLLER://$bind:$controller_port,BROKER://$bind:$broker_port
advertised.listeners=CLIENT://$ADVERTISED:$client_port,BROKER://$ADVERTISED:$broker_port
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,BROKER:SASL_PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config=$scram required;
listener.name.broker.sasl.enabled.mechanisms=PLAIN
listener.name.broker.plain.sasl.jaas.config=$plain required username="broker" password="$broker" user_broker="$broker";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=$plain required username="broker" password="$broker" user_broker="$broker";
log.dirs=$DATA
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
offsets.topic.num.partitions=12
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
unclean.leader.election.enable=false
auto.create.topics.enable=false
group.max.session.timeout.ms=1800000
log.retention.check.interval.ms=60000
num.network.threads=2
num.io.threads=4
END

# The file of a password that was changed is not read again by a cluster that runs: see the runbook on passwords.
"$bin/kafka-storage.sh" format --ignore-formatted --cluster-id "$CLUSTER_ID" --config "$config" \
    --add-scram "SCRAM-SHA-512=[name=leocdp,password=$client]"
exec "$bin/kafka-server-start.sh" "$config"
