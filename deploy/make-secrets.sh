#!/bin/sh
# Makes the secret files that docker-compose.yml needs, each with a random value:  deploy/make-secrets.sh [FOLDER [UID]]
#
# FOLDER is deploy/secrets unless named; UID is 1000, the user inside every container. A file that is there stays: a new
# password does not reach servers that have their data already, and another hmac_key makes all posts strangers.
# What each file is for: deploy/secrets/README.md.
set -eu
umask 077

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/secrets}
owner=${2:-1000}
files='elastic_password nabiz_password kibana_password kibana.yml kafka_password kafka_jaas.conf hmac_key webhook_secret'

fail() {
  echo "make-secrets: $1" >&2
  exit 1
}

random() { # 43 letters and digits: no quoting anywhere, 256 bits
  LC_ALL=C tr -dc 'A-Za-z0-9' < /dev/urandom | head -c 43
}

write() {
  printf '%s' "$2" > "$folder/$1"
}

[ "$(id -u)" = 0 ] || [ "$(id -u)" = "$owner" ] ||
  fail "the files must belong to user id $owner, as whom the containers run: run it with sudo"
mkdir -p "$folder"
for file in $files; do
  [ ! -e "$folder/$file" ] || fail "$folder/$file is there already: nothing was changed. Keep it; what a change takes is in deploy/secrets/README.md"
done

kibana=$(random)
kafka=$(random)
write elastic_password "$(random)"
write nabiz_password "$(random)"
write kibana_password "$kibana"
write kibana.yml "elasticsearch.username: kibana_system
elasticsearch.password: '$kibana'
xpack.security.encryptionKey: '$(random)'
xpack.encryptedSavedObjects.encryptionKey: '$(random)'
xpack.reporting.encryptionKey: '$(random)'
"
write kafka_password "$kafka"
write kafka_jaas.conf "KafkaServer {
  org.apache.kafka.common.security.plain.PlainLoginModule required user_nabiz=\"$kafka\";
};
"
write hmac_key "$(random)"
write webhook_secret "$(random)"
for file in $files; do
  chmod 600 "$folder/$file"
  [ "$(id -u)" = "$owner" ] || chown "$owner" "$folder/$file"
done

# docker-compose.yml asks for this variable, so that it can say what is missing. No secret: whoever starts it may read it.
if [ $# = 0 ] && ! grep -qs '^NABIZ_SECRETS=' "$here/../.env"; then
  echo 'NABIZ_SECRETS=./deploy/secrets' >> "$here/../.env"
  chmod 644 "$here/../.env"
fi
echo "made in $folder, readable by user id $owner only: $files"
echo "Keep a copy of hmac_key apart from this machine: without it no post is recognised again."
