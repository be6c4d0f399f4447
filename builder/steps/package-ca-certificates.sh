#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The authorities that Mozilla trusts for web servers, as one file where most programs look for it.
# shellcheck source=lib.sh
. /input/lib.sh

unpack ca-certificates
directory=/output/root/etc/ssl/certs
mkdir -p "$directory"
python3 /input/ca_certificates.py ca-certificates/mozilla/certdata.txt >"$directory/ca-certificates.crt"
mkdir /output/unstripped
# OpenSSL's name for it, which Go and Python look for, too.
ln -s certs/ca-certificates.crt /output/root/etc/ssl/cert.pem
