# image.sh BINARY CONTAINERFILE: builds the image, and runs it as one would: not as root, with a read-only root.
binary=$1 containerfile=$2
place=$(mktemp -d)
name=forewarn-try-$$
storage=(--storage-driver vfs --root "$place/storage" --runroot "$place/run")
podman=(podman --runtime "$(command -v runc)" "${storage[@]}")
tidy() {
  "${podman[@]}" rm --force --time 0 "$name" >/dev/null 2>&1 || true
  rm -rf "$place"
}
trap tidy EXIT

mkdir "$place/context" "$place/etc" "$place/data"
cp "$binary" "$place/context/forewarn"
buildah "${storage[@]}" bud --quiet --isolation chroot --file "$containerfile" --tag forewarn "$place/context" >/dev/null
"${podman[@]}" image inspect --format 'image: {{.Size}} bytes, user {{.Config.User}}' forewarn

# A model of a simulated day, by the binary itself, and a port that is free.
"$binary" simulate --quiet --days 3 --output "$place/metrics.csv"
"$binary" train --quiet --input "$place/metrics.csv" --models logistic_snapshot --save "$place/etc/model.safetensors" >/dev/null
port=$(( 20000 + RANDOM % 20000 ))
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$(( port + 1 )); done
cat >"$place/etc/forewarn.toml" <<TOML
[model]
path = "model.safetensors"
[source]
kind = "simulator"
speed = 600.0
[store]
path = "/var/lib/forewarn/store"
[events]
path = "/var/lib/forewarn/events.ndjson"
[http]
listen = "127.0.0.1:$port"
TOML
chmod -R a+rX "$place/etc"
chmod 755 "$place"
chown 65532:65532 "$place/data"

"${podman[@]}" run --detach --name "$name" --network host --read-only --cap-drop all \
  --security-opt no-new-privileges --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
  --volume "$place/etc:/etc/forewarn:ro" --volume "$place/data:/var/lib/forewarn" forewarn >/dev/null

# The first line of the answer to GET.
answer() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$1" >&3
    cat <&3
  ) 2>/dev/null
}
for _ in $(seq 300); do
  if answer /-/ready | head -n 1 | grep -q ' 200 '; then ready=1; break; fi
  sleep 0.2
done
if [[ -z ${ready:-} ]]; then
  "${podman[@]}" logs "$name"
  echo "it did not become ready" >&2
  exit 1
fi
for _ in $(seq 100); do
  rows=$(answer /metrics | sed -n 's/^forewarn_steps_closed_total //p')
  if [[ ${rows%%.*} -gt 3 ]]; then break; fi
  sleep 0.2
done
[[ ${rows%%.*} -gt 3 ]] || { echo "it closes no minutes: ${rows:-nothing}" >&2; exit 1; }

pid=$("${podman[@]}" inspect --format '{{.State.Pid}}' "$name")
user=$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")
capabilities=$(sed -n 's/^CapEff:\t//p' "/proc/$pid/status")
[[ $user == 65532 ]] || { echo "it runs as user $user" >&2; exit 1; }
[[ $capabilities =~ ^0+$ ]] || { echo "it has capabilities $capabilities" >&2; exit 1; }
grep -q ' / ro[, ]' "/proc/$pid/mountinfo" || { echo "its root can be written to" >&2; exit 1; }

"${podman[@]}" stop --time 20 "$name" >/dev/null
code=$("${podman[@]}" inspect --format '{{.State.ExitCode}}' "$name")
[[ $code == 0 ]] || { "${podman[@]}" logs "$name"; echo "it ended with $code" >&2; exit 1; }
echo "the image runs as user $user without capabilities, its root read-only, and ended by itself when asked"
