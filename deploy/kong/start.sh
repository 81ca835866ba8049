#!/usr/bin/env bash
# Kong's container: waits for the filled kong.yml, starts Kong with it, and has the running Kong take
# in every new one by its admin port on this container's loopback, which drops no request.
# bash alone, since Kong's image has neither curl nor Python.
set -euo pipefail

FILLED=${FILLED:-/filled/kong.yml}
ADMIN=${ADMIN:-127.0.0.1:8001}
EVERY=${EVERY:-1}
COPIES=${COPIES:-/tmp}

say() { # LEVEL MESSAGE: a line of the one log
  printf '{"ts":"%s","level":"%s","service":"gateway","logger":"start","message":"%s"}\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" "$1" "$2"
}

# Kong says of a broken file "reloaded" and keeps the old one: whether it is one is asked first.
parses() { kong config parse "$1" > "$COPIES/parse.txt" 2>&1; }

post() { # FILE: hand it over as a form; the status of the answer
  local mark=pyispyb-kong-yml head tail size status=''
  printf -v head -- '--%s\r\nContent-Disposition: form-data; name="config"; filename="kong.yml"\r\nContent-Type: application/octet-stream\r\n\r\n' "$mark"
  printf -v tail -- '\r\n--%s--\r\n' "$mark"
  size=$((${#head} + $(stat -c %s "$1") + ${#tail}))
  {
    printf 'POST /config?check_hash=1 HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n' "$ADMIN" >&3
    printf 'Content-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n' "$mark" "$size" >&3
    printf '%s' "$head" >&3
    cat "$1" >&3
    printf '%s' "$tail" >&3
    read -r -t 30 _ status _ <&3
  } 3<> "/dev/tcp/${ADMIN/://}" && [[ -n "$status" ]] && echo "$status"
}

follow() { # hand over what differs from what Kong has, until it has taken it
  local copy="$COPIES/kong.yml" refused='' sum status
  while sleep "$EVERY"; do
    sum=$(sha256sum < "$FILLED")
    if [[ "$sum" == "$TAKEN" || "$sum" == "$refused" ]]; then continue; fi
    # A copy: the file may be replaced at any moment.
    cp "$FILLED" "$copy"
    sum=$(sha256sum < "$copy")
    if ! parses "$copy"; then
      say ERROR "Kong cannot read the new kong.yml and keeps the last one"
      refused=$sum
    elif ! status=$(post "$copy" 2> "$COPIES/post.txt"); then
      say WARNING "Kong does not answer yet; the new kong.yml is handed over again"
    elif [[ "$status" =~ ^(200|201|304)$ ]]; then
      say INFO "Kong has taken in the new kong.yml"
      TAKEN=$sum refused=''
    else
      say ERROR "Kong answers $status to the new kong.yml and keeps the last one"
      refused=$sum
    fi
  done
}

until [[ -s "$FILLED" ]]; do
  say INFO "waiting for $FILLED"
  sleep "$EVERY"
done
TAKEN=$(sha256sum < "$FILLED")

# Kong takes an empty list for a list with an empty address in it.
[[ -n "${KONG_TRUSTED_IPS:-}" ]] || unset KONG_TRUSTED_IPS

# A certificate and its key, where the site gave them: the one port speaks TLS.
if [[ -s ${TLS_CERTIFICATE:-/run/secrets/tls_certificate} ]]; then
  export KONG_PROXY_LISTEN="${KONG_PROXY_LISTEN:-0.0.0.0:8000} ssl"
  export KONG_SSL_CERT=${TLS_CERTIFICATE:-/run/secrets/tls_certificate}
  export KONG_SSL_CERT_KEY=${TLS_KEY:-/run/secrets/tls_key}
  if [[ ! -r "$KONG_SSL_CERT_KEY" || ! -s "$KONG_SSL_CERT_KEY" ]]; then
    say ERROR "the key of the certificate cannot be read by user $(id -u): set TLS_KEY"
    exit 1
  fi
fi

follow &
exec "$@"
