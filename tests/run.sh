#!/usr/bin/env bash
# What `make test` runs: the quick checks, then the tests, and beside those the end-to-end tests on a real Kubernetes
# cluster where one can be had. With MODELPORT_NIGHTLY=1 (`make nightly`) those marked "nightly" too, more cases of
# others, and all with coverage. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin

# In percent of all cores, before anything of ours runs. Where Linux does not say: none.
used_by_others() {
  local before after
  before=$(cpu_ticks) || { echo 0; return; }
  sleep 1
  after=$(cpu_ticks)
  echo "$before $after" | awk '{ all = $3 - $1; print int(100 * (all - ($4 - $2)) / all) }'
}

# All, and the idle ones of them.
cpu_ticks() {
  awk '/^cpu / { for (i = 2; i <= 9; i++) all += $i; print all, $5 + $6; exit }' /proc/stat 2>/dev/null
}

# Prints a new folder in memory; nothing where there is none, too little of it, or no program may run there. Tests make
# and remove files by the hundred thousand, their databases wait for the disk at each commit, and a disk that discards
# what is removed takes 3 ms for each of them (ext4 with "discard").
folder_in_memory() {
  local folder=/dev/shm/mp-$$ left available
  # A run that was killed has left it.
  for left in /dev/shm/mp-*; do
    kill -0 "${left##*-}" 2>/dev/null || rm -rf "$left"
  done
  available=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null) || return 0
  [ "${available:-0}" -gt $((12 << 20)) ] && [ "$(df --output=avail /dev/shm | tail -n 1)" -gt $((8 << 20)) ] || return 0
  mkdir "$folder" && cp /bin/true "$folder/true" && "$folder/true" && echo "$folder" || rm -rf "$folder"
}

# Where it is set, each worker rewrites the assertions of each test module again, and each server that a test starts
# compiles all that it imports.
unset PYTHONDONTWRITEBYTECODE
check() {
  echo "==> Style, types and import contracts"
  bash tests/check.sh
}

if [ $# -gt 0 ]; then
  check
  echo "==> Tests"
  exec $bin/python -m pytest "$@"
fi

workers_per_core=2
[ "$(used_by_others)" -lt 50 ] || workers_per_core=1
log=build/e2e.log
# How long each test of the last run took, and how busy the machine was: where CI keeps no output of a run that passed,
# this tells why it was slow.
record=${XDG_CACHE_HOME:-$HOME/.cache}/modelport/logs/last-test-run
# Held while the other tests run. The kernel lets go of it when this script is killed: nobody waits for the dead.
export MODELPORT_OTHER_TESTS=$PWD/build/other-tests.lock

# 3: no cluster can be had here, and it has said why. The end-to-end tests are skipped then, or fail in CI.
cluster() {
  local code=0
  nice -n 5 $bin/python -m tests.cluster "$1" || code=$?
  [ $code -eq 0 ] || [ $code -eq 3 ] || exit $code
}

end_to_end() {
  # A compiler beside tests that watch the clock comes second, but not last: four workers would starve it for twice
  # as long (18 minutes, measured), and the end-to-end tests begin when it is done.
  cluster prepare
  # One at a time: some measure gaps in seconds. Those come last, and wait for the other tests' lock.
  pytest_of e2e tests/e2e
}

# Of `e2e` or `not e2e`. What failed in it is kept in a file of its own: both run at once.
pytest_of() {
  TMPDIR=${memory:-${TMPDIR:-/tmp}} $bin/python -m pytest -m "$1$kept" -o cache_dir="build/pytest-${1// /-}" \
    --junitxml "$record/${1// /-}.xml" "${@:2}"
}

# Some tests measure real time, and a machine that is slow or busy makes one of them fail by chance. What failed beside
# the others is run once more, alone: it has to fail twice. Gives the exit code that then counts.
run_again() {
  [ "$1" -eq 1 ] || return "$1"
  echo "==> Alone, what failed beside the others ($2): who passes now should be looked at when it fails again"
  pytest_of "$2" --last-failed --last-failed-no-failures none -v \
    --junitxml "$record/again-${2// /-}.xml" "${@:3}" || return 1
}

# A line in five minutes. Whoever reads the log of a slow run sees whether the machine was.
watch_machine() {
  while { date && $bin/python -m tests.machine; } | tee -a "$record/machine.log"; do sleep 300; done
}

end() {
  kill -- -$machine 2>/dev/null || true
  # Neither its exit code nor that it has ended already may keep the cluster from being taken down,
  # and the tests' result stands when another run uses the cluster, which then stays.
  kill -INT -- -$e2e 2>/dev/null && wait $e2e || true
  ${down:-true} || true
  [ -z "$memory" ] || rm -rf "$memory"
}

if [ -n "${MODELPORT_NIGHTLY:-}" ]; then
  kept="" traced=(--cov --cov-report=)
else
  kept=" and not nightly" traced=()
fi
mkdir -p build "$record"
rm -rf build/pytest-* "$record"/*
code=0 e2e_code=0 coverage=0
memory=$(folder_in_memory)
exec 9>"$MODELPORT_OTHER_TESTS"
flock --nonblock 9 || { echo "make test runs here already: one would spoil the other's coverage" >&2; exit 1; }
echo "==> End-to-end tests on Kubernetes, beside all others ($log); what they need is built first (once; 10 minutes)"
# A cluster that ran before stays; one that these tests start goes with them.
$bin/python -m tests.cluster status >/dev/null || down="$bin/python -m tests.cluster down"
# A job of its own group, so that Ctrl-C means the same in it and both end together.
set -m
end_to_end >"$log" 2>&1 9>&- &
e2e=$!
watch_machine 9>&- &
machine=$!
set +m
trap end EXIT
# Without it bash goes on after a pytest that has taken Ctrl-C for itself.
trap 'exit 130' INT
# Beside the end-to-end tests, whose cluster is made ready meanwhile: neither keeps two cores busy.
check
echo "==> Helm, which the chart's tests want (built once; 2 minutes on two cores)"
cluster helm
# A line for each step of the cluster and each file that is done.
tail -n +1 -f --pid=$e2e "$log" 9>&- | sed -u -n '/^==> \|^tests.*%\]$/s/^/\n[end to end] /p' 9>&- &
shown=$!

echo "==> Tests"
rm -f .coverage .coverage.*
# By file, because a file's tests share a server that takes seconds to start, and those of the shared platform in one
# worker; in the order of tests/support/kinds.py, because what takes long (contract, integration) should begin before
# what is short (unit). Two workers a core: they wait for servers more than half of the time. One where others keep the
# cores busy: more of them would not be done sooner, and each test would wait longer for its turn.
pytest_of "not e2e" -n "${MODELPORT_TEST_WORKERS:-$((workers_per_core * $(nproc)))}" --dist loadfile --no-loadscope-reorder \
  "${traced[@]}" 9>&- || code=$?
exec 9>&-
[ -z "${MODELPORT_NIGHTLY:-}" ] || $bin/python -m coverage report --skip-covered --fail-under=90 || coverage=$?

echo "==> End-to-end tests on Kubernetes"
kill $shown 2>/dev/null || true
tail -n +1 -f --pid=$e2e "$log"
wait $e2e || e2e_code=$?
run_again $e2e_code e2e tests/e2e && e2e_code=0 || e2e_code=$?
run_again $code "not e2e" && code=0 || code=$?
exit $((e2e_code ? e2e_code : code ? code : coverage))
