#!/bin/bash
# Gives Kibana and Nabız users of their own in Elasticsearch. docker-compose.yml runs it at each start, in Elasticsearch's
# image; it sets what the secret files say. Passwords are letters and digits (deploy/make-secrets.sh), so they need no
# quoting, and reach curl through a pipe, never through a command line that others can read.
set -euo pipefail

url=${ELASTICSEARCH_URL:-http://elasticsearch:9200}
secrets=${SECRETS:-/run/secrets}

secret() {
  cat "$secrets/$1"
}

put() { # PATH BODY
  curl --silent --show-error --fail --output /dev/null --retry 5 --retry-connrefused \
    --config <(echo "user = elastic:$(secret elastic_password)") \
    --request PUT --header 'Content-Type: application/json' --data-binary @<(echo "$2") "$url$1"
}

# What Kibana itself works as; people log in with accounts of their own, or as `elastic`.
put /_security/user/kibana_system/_password "{\"password\": \"$(secret kibana_password)\"}"

# The least with which the roles and commands work. Names begin with the deployment's prefix, and a replay's own.
put /_security/role/nabiz '{
  "cluster": ["monitor", "manage_index_templates"],
  "indices": [{
    "names": ["*mentions-*", "*mentions", "*tombstones"],
    "privileges": ["create_index", "view_index_metadata", "maintenance", "monitor", "read", "write"]
  }]
}'
put /_security/user/nabiz "{\"password\": \"$(secret nabiz_password)\", \"roles\": [\"nabiz\"], \"full_name\": \"Nabız\"}"
echo "users kibana_system and nabiz are set"
