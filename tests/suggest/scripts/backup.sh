#!/bin/sh
# Keeps a copy of a directory on another machine, and throws the oldest ones away.
set -eu

. "$(dirname "$0")/lib/messages"

KEEP=${KEEP:-7}
usage() {
	cat <<-EOF
		usage: ${0##*/} DIRECTORY HOST
		On this machine: $(uname -n)
	EOF
	exit 2
}

while getopts hk: option; do
	case $option in
	k) KEEP=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 2 ] || usage
[ -d "$1" ] || die "there is no directory $1"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
archive=$work/$(date -u +%Y%m%dT%H%M%SZ).tar.gz
say "packing $1"
find "$1" -type f ! -name '*.tmp' -print0 | sort -z | tar -czf "$archive" -T -
sha256sum "$archive" >"$archive.sum"
scp -q "$archive" "$archive.sum" "$2:backups/"
ssh "$2" "ls -t backups | tail -n +$KEEP | xargs rm -f"
for packer in xz zstd; do
	command -v "$packer" >/dev/null && "$packer" -k "$archive"
done
find /var/backups -name '*.gz' -mtime +30 -exec nice -n 10 rm -f {} + -o -name '*.log' -exec gzip -9 {} \;
