#!/bin/bash
# User data of the machine in terraform/machine.tf. Installs Session Manager's agent, then a release. systemd repeats it
# until it succeeds, also after a reboot; completed steps aren't repeated.
set -euo pipefail
release=@release@ # Terraform replaces each @…@
export AWS_DEFAULT_REGION=@region@ DEBIAN_FRONTEND=noninteractive

if [[ ${1:-} != --now ]]; then
  install -m 755 "$0" /usr/local/sbin/starschema-first-boot
  cat >/etc/systemd/system/starschema-first-boot.service <<'END'
[Unit]
Description=Installation at the first boot of this machine
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/starschema-first-boot --now
ExecStartPost=/usr/bin/systemctl disable starschema-first-boot
StandardOutput=journal+console
Restart=on-failure
RestartSec=60

[Install]
WantedBy=multi-user.target
END
  systemctl daemon-reload
  systemctl enable starschema-first-boot
  exec systemctl start --no-block starschema-first-boot
fi

step=
trap 'echo "first boot: this step failed: $step. It will be repeated in a minute." >&2' ERR

step="Debian's packages"
dpkg --configure -a # completes an installation that a reboot interrupted
install=(apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 ca-certificates curl sudo awscli)
"${install[@]}" >/dev/null 2>&1 || { apt-get update -qq; "${install[@]}" >/dev/null; }

# Install the agent before the rest, so that a session can be opened to see what fails.
step="Session Manager's agent"
if ! systemctl cat amazon-ssm-agent >/dev/null 2>&1; then
  curl -fsS --retry 3 -o /tmp/agent.deb \
    "https://s3.@region@.@suffix@/amazon-ssm-@region@/latest/debian_$(dpkg --print-architecture)/amazon-ssm-agent.deb"
  dpkg --install /tmp/agent.deb
fi
systemctl enable --quiet --now amazon-ssm-agent

step="the download of $release"
folder=/opt/starschema-releases/$(basename "$release")
aws s3 cp --recursive --only-show-errors "$release" "$folder"

step="the installation of $folder"
bash "$folder/deploy/install.sh"
