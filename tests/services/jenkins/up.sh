#!/usr/bin/env bash
# up.sh DIR: a Hudson 3.3.2 on a free port of 127.0.0.1 with users and jobs; returns when it answers, with DIR/env.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: up.sh DIR" >&2; exit 2; }
mkdir -p "$1"; dir=$(cd "$1" && pwd)
[ ! -f "$dir/pid" ] || ! kill -0 "$(cat "$dir/pid")" 2>/dev/null || { echo "already running in $dir" >&2; exit 1; }
out=$("$here/install.sh") || { code=$?; echo "$out"; exit "$code"; }
out=${out##*$'\n'}
home=$dir/home
rm -rf "$home" "$dir/env"; mkdir -p "$home/jobs" "$home/users" "$dir/tmp"
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')

user() { # name secret
  local salt hash; salt=$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
  hash=$(printf '%s{%s}' "$2" "$salt" | sha256sum | cut -d' ' -f1)
  mkdir -p "$home/users/$1"
  cat > "$home/users/$1/config.xml" <<X
<?xml version='1.0' encoding='UTF-8'?>
<user>
  <fullName>$1</fullName>
  <properties>
    <hudson.security.HudsonPrivateSecurityRealm_-Details>
      <passwordHash>$salt:$hash</passwordHash>
    </hudson.security.HudsonPrivateSecurityRealm_-Details>
  </properties>
</user>
X
}
job() { # name shell-command [properties-xml] [disabled]
  mkdir -p "$home/jobs/$1"
  cat > "$home/jobs/$1/config.xml" <<X
<?xml version='1.0' encoding='UTF-8'?>
<project>
  <actions/>
  <description>par test job</description>
  <keepDependencies>false</keepDependencies>
  <properties>${3:-}</properties>
  <scm class="hudson.scm.NullSCM"/>
  <canRoam>true</canRoam>
  <disabled>${4:-false}</disabled>
  <triggers class="vector"/>
  <concurrentBuild>false</concurrentBuild>
  <builders><hudson.tasks.Shell><command>$2</command></hudson.tasks.Shell></builders>
  <publishers/>
  <buildWrappers/>
</project>
X
}
param() { echo "<hudson.model.StringParameterDefinition><name>$1</name><description/><defaultValue>$2</defaultValue></hudson.model.StringParameterDefinition>"; }
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
reader=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
user runner "$token"
user reader "$reader"
cat > "$home/hudson-security.xml" <<'X'
<?xml version='1.0' encoding='UTF-8'?>
<hudsonSecurityManager>
  <securityRealm class="hudson.security.HudsonPrivateSecurityRealm">
    <disableSignup>true</disableSignup>
  </securityRealm>
  <authorizationStrategy class="hudson.security.GlobalMatrixAuthorizationStrategy">
    <permission>hudson.model.Hudson.Administer:runner</permission>
    <permission>hudson.model.Hudson.Read:reader</permission>
    <permission>hudson.model.Item.Read:reader</permission>
  </authorizationStrategy>
  <useSecurity>true</useSecurity>
  <slaveAgentPort>-1</slaveAgentPort>
</hudsonSecurityManager>
X
cat > "$home/config.xml" <<'X'
<?xml version='1.0' encoding='UTF-8'?>
<hudson>
  <version>3.3.2</version>
  <numExecutors>2</numExecutors>
  <mode>NORMAL</mode>
  <useSecurity>true</useSecurity>
  <slaveAgentPort>-1</slaveAgentPort>
  <quietPeriod>5</quietPeriod>
</hudson>
X
# The list of plugin updates would be fetched from a public address.
mkdir -p "$home/updates"
job ok 'echo done'
job slow 'sleep 12'
job fail 'echo broken; exit 3'
job params 'printf "%s|%s\n" "$GREETING" "$COUNT"' \
  "<hudson.model.ParametersDefinitionProperty><parameterDefinitions>$(param GREETING hello)$(param COUNT 1)</parameterDefinitions></hudson.model.ParametersDefinitionProperty>"
job disabled 'echo never' '' true
job 'name with space' 'echo done'
job delete-me 'echo done'
job delete-me-2 'echo done'

HUDSON_HOME=$home HOME=$dir TMPDIR=$dir/tmp setsid java @"$out/opens.args" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -Xshare:auto -Djava.awt.headless=true -Djava.io.tmpdir="$dir/tmp" -Djava.net.preferIPv4Stack=true \
  -Dhudson.DNSMultiCast.disabled=true -Dhudson.model.UpdateCenter.never=true \
  -Dhudson.model.UsageStatistics.disabled=true -Dorg.eclipse.jetty.LEVEL=WARN \
  -cp "$out:$out/hudson-war-3.3.2.war" HudsonLauncher \
  --httpListenAddress=127.0.0.1 --httpPort="$port" --skipInitSetup --disableUpdateCenterSwitch \
  --updateServer="http://127.0.0.1:9/" > "$dir/log" 2>&1 < /dev/null &
pid=$!
echo "$pid" > "$dir/pid"
base=http://127.0.0.1:$port
for _ in $(seq 1 600); do
  if grep -q 'Failed to initialize Hudson' "$dir/log"; then break; fi
  kill -0 "$pid" 2>/dev/null || { echo "hudson ended; see $dir/log" >&2; tail -20 "$dir/log" >&2; rm -f "$dir/pid"; exit 1; }
  if [ "$(curl -s -o /dev/null -w '%{http_code}' -u "runner:$token" "$base/job/ok/api/json")" = 200 ]; then
    { echo "JENKINS_DOMAIN=$base"; echo "JENKINS_USERNAME=runner"; echo "JENKINS_TOKEN=$token"
      echo "JENKINS_READER_USERNAME=reader"; echo "JENKINS_READER_TOKEN=$reader"
      echo "JENKINS_HOME=$home"; echo "JENKINS_PID=$pid"; } > "$dir/env.tmp"
    mv "$dir/env.tmp" "$dir/env"
    exit 0
  fi
  sleep 0.2
done
echo "hudson did not get ready; see $dir/log" >&2
"$here/down.sh" "$dir"
exit 1
