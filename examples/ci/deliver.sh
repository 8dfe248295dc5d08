#!/bin/sh
# A step of any pipeline: tells a hook of DCM what was made, waits for the outcome, and fails when that fails.
#
#   hook new deploy --verify standard --do "redeploy web --image web:{sha}"
#
# wants DCM_HOOK_URL and DCM_HOOK_SECRET (both are shown when the hook is made) as secrets of the pipeline, and what
# the hook's line leaves open: DCM_REF, DCM_SHA, DCM_IMAGE, DCM_REPOSITORY. The secret does not leave this machine:
# it signs as Standard Webhooks do. Sent again under the same DCM_DELIVERY, nothing is done twice. Needs curl, openssl.
set -eu

clean() { printf '%s' "$1" | tr -cd 'A-Za-z0-9._/:@+-'; }
body=$(printf '{"ref":"%s","sha":"%s","image":"%s","repository":"%s"}' \
  "$(clean "${DCM_REF:-}")" "$(clean "${DCM_SHA:-}")" "$(clean "${DCM_IMAGE:-}")" "$(clean "${DCM_REPOSITORY:-}")")
id=${DCM_DELIVERY:-$(date +%s)-$$}
key=$(printf '%s' "${DCM_HOOK_SECRET#whsec_}" | base64 -d | od -An -vtx1 | tr -d ' \n')
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

tries=0
while [ "$tries" -lt 12 ]; do
  tries=$((tries + 1))
  at=$(date +%s)
  signature=$(printf '%s.%s.%s' "$id" "$at" "$body" |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
  status=$(curl -sS -o "$answer" -w '%{http_code}' --max-time 330 -X POST "$DCM_HOOK_URL?wait=300" \
    -H 'Content-Type: application/json' -H "webhook-id: $id" -H "webhook-timestamp: $at" \
    -H "webhook-signature: v1,$signature" --data-binary "$body") || status=000
  case $status in
    200)
      cat "$answer"
      exit 0
      ;;
    # It goes on, or could not be taken now: asked again under the same id, it is done once.
    202) ;;
    000 | 429 | 502 | 503 | 504) sleep "${DCM_PAUSE:-10}" ;;
    *) break ;;
  esac
done
echo "DCM answered $status:" >&2
cat "$answer" >&2
exit 1
