#!/bin/bash
# Exit 0 if the node at ADDRESS (127.0.0.1) and PORT (8080) can serve. Bash alone, as the image has no HTTP client.
exec 3<>"/dev/tcp/${ADDRESS:-127.0.0.1}/${PORT:-8080}" || exit 1
printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
