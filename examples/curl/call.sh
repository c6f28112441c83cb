#!/usr/bin/env bash
# Asks Temu whose token it is, for one connection of the keyring:
#
#     examples/curl/call.sh temu/us/634418212239481
#
# Needs bash, curl 7.86 or later, jq and openssl. It ends after its call, so there is nothing to cache. Secrets go through
# pipes and variables, never through arguments: everybody on a machine can read those.
#
# For a connection at TikTok Shop it only tells the version of the token: a call is signed with an HMAC there, whose key
# openssl takes as an argument alone.
set -euo pipefail

connection=${1:?which connection? e.g. temu/us/634418212239481}
: "${KEYRING_URL:?}" "${AWS_REGION:?}" "${AWS_ACCESS_KEY_ID:?}" "${AWS_SECRET_ACCESS_KEY:?}"
attempts=3
longest_wait=20

# curl, signed for an AWS service: signed SERVICE ARGUMENTS…
signed() {
    {
        printf 'user = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
        # Temporary credentials have a session token, which must come along.
        [ -z "${AWS_SESSION_TOKEN:-}" ] || printf 'header = "X-Amz-Security-Token: %s"\n' "$AWS_SESSION_TOKEN"
    } | curl --config - --aws-sigv4 "aws:amz:$AWS_REGION:$1" --silent --show-error --max-time 30 "${@:2}"
}

field() {
    printf '%s' "$answer" | jq --exit-status --raw-output "$1"
}

# Asks the keyring: METHOD PATH [BODY]. Sets `answer` to the token answer, or ends with the reason why there is none.
keyring() {
    local method=$1 path=$2 body=${3:-} attempt status retry_after
    for ((attempt = 1; ; attempt++)); do
        answer=$(signed execute-api --request "$method" --header 'Content-Type: application/json' \
            ${body:+--data "$body"} --write-out '\n%{http_code} %header{retry-after}' "${KEYRING_URL%/}$path") ||
            answer=$'\n000 '
        read -r status retry_after <<<"${answer##*$'\n'}"
        answer=${answer%$'\n'*}
        case $status in
        200) return ;;
        000 | 429 | 500 | 502 | 503 | 504) [[ $retry_after =~ ^[0-9]+$ ]] || retry_after=$((2 ** attempt)) ;;
        *) give_up "$status" ;;
        esac
        ((attempt < attempts && retry_after <= longest_wait)) || give_up "$status"
        # Not all at the same moment.
        sleep "$retry_after.$((RANDOM % 10))"
    done
}

give_up() {
    local code
    code=$(field .code 2>/dev/null) || code=http_$1
    case $code in
    connection_not_found) echo "$connection: $code, the seller connects through a connect session" ;;
    pending) echo "$connection: $code, confirm the connect session" ;;
    reauthorization_required) echo "$connection: $code, send the seller through a connect session" ;;
    disconnected) echo "$connection: $code, forget the connection" ;;
    refresh_failed | check_failed | storage_unavailable) echo "$connection: $code, try again later" ;;
    *) echo "$connection: $code, see docs/errors.md" ;;
    esac
    exit 1
}

# The secret of the app, which calls are signed with: MARKETPLACE/APP APP_KEY.
read_app_secret() {
    signed secretsmanager --header 'X-Amz-Target: secretsmanager.GetSecretValue' \
        --header 'Content-Type: application/x-amz-json-1.1' \
        --data "{\"SecretId\":\"${SECRET_PREFIX:-shop-keyring}/apps/$1\"}" \
        "${AWS_ENDPOINT_URL_SECRETS_MANAGER:-https://secretsmanager.$AWS_REGION.amazonaws.com}/" |
        jq --exit-status --raw-output --arg app_key "$2" \
            '.SecretString | fromjson | select(.app_key == $app_key).app_secret'
}

# One call with the token that `answer` holds. Sets `rejected_version` if Temu does not take it.
mall_at_temu() {
    local call=bg.open.accesstoken.info.get timestamp sign version router app_key access_token app_secret
    version=$(field .version) router=$(field .api.base_url) app_key=$(field .api.app_key)
    access_token=$(field .access_token)
    if [ "$router" = null ]; then
        echo "$connection: call_failed, the keyring does not know the app any more: there is no api.base_url"
        exit 1
    fi
    if ! app_secret=$(read_app_secret "$(field '"\(.marketplace)/\(.app)"')" "$app_key"); then
        echo "$connection: call_failed, the app's secret cannot be read, or is another app key's"
        exit 1
    fi
    timestamp=$(date +%s)
    # The parameters in the order of their names, wrapped in the app's secret.
    sign=$(printf '%s' "$app_secret" "access_token$access_token" "app_key$app_key" data_typeJSON \
        "timestamp$timestamp" "type$call" "$app_secret" | openssl dgst -md5 -r | cut -d ' ' -f 1)
    answer=$(printf '{"type":"%s","app_key":"%s","access_token":"%s","timestamp":%s,"data_type":"JSON","sign":"%s"}' \
        "$call" "$app_key" "$access_token" "$timestamp" "${sign^^}" |
        curl --silent --show-error --max-time 30 --header 'Content-Type: application/json' --data @- "$router")
    case $(field .errorCode) in
    1000000) echo "$connection: version $version, mall $(field .result.mallId)" ;;
    # Unknown, expired or replaced, not authorized any more.
    3000030 | 3000031 | 3000034 | 5000000) rejected_version=$version ;;
    *) echo "$connection: call_failed, Temu answered $(field .errorCode), request $(field .requestId)" && exit 1 ;;
    esac
}

keyring GET "/v1/connections/$connection/token"
if [[ $connection == temu/* ]]; then
    rejected_version=
    mall_at_temu
    if [ -n "$rejected_version" ]; then
        keyring POST "/v1/connections/$connection/refresh" "{\"rejected_version\":$rejected_version}"
        rejected_version=
        mall_at_temu
        [ -z "$rejected_version" ] || { echo "$connection: token_rejected, and the keyring has no other one"; exit 1; }
    fi
else
    echo "$connection: version $(field .version), good until $(field .expires_at)"
fi
