# Files of the names that the how-to guides use: weeks of the simulated shop, its failures as somebody's list, models of
# it, scores as somebody else's predictor writes them, and a service that has run on the first days.
forewarn simulate --quiet --days 50 --seed 3 --output metrics.csv --truth truth.csv
awk -F, 'NR == 1 { print "service,onset,end" } NR > 1 { print $1 "," $2 "," $4 }' truth.csv > incidents.csv
# The list-making guide expects time and service as the first two columns, as they are.
head -n 1 metrics.csv | grep -q '^timestamp,service,'
forewarn simulate --quiet --days 7 --seed 4 --output last-week.csv --truth last-week-truth.csv
forewarn train --quiet --input metrics.csv --save model.safetensors > train.log
cp model.safetensors old.safetensors
cp model.safetensors new.safetensors
cp model.safetensors other.safetensors
for name in vendor ours; do
  forewarn replay --quiet --model model.safetensors --input metrics.csv --events scores |
    awk -F, '{ print $1 "," $2 "," $4 }' > $name.csv
done
# The same scores with a column that says when the service was failing.
awk -F, 'NR == FNR && FNR == 1 { for (i = 1; i <= NF; i++) if ($i == "error_rate") column = i }
  NR == FNR { failing[$2 "," $1] = $column >= 0.05; next }
  { print $0 "," (FNR == 1 ? "label" : failing[$1 "," $2] + 0) }' metrics.csv vendor.csv > labelled.csv
grep -q ',1$' labelled.csv
# Metrics with a column of somebody's verdict.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "error_rate") column = i; print $0 ",failure"; next }
  { print $0 "," ($column >= 0.05) }' metrics.csv > servers.csv
# Who calls whom in the shop, as a person and as a collector of traces write it down.
for call in gateway:auth gateway:user auth:database user:database; do
  client=${call%:*} server=${call#*:}
  printf '[[calls]]\nclient = "%s"\nserver = "%s"\n' "$client" "$server" >> graph.toml
  labels="{client=\"$client\",server=\"$server\"}"
  cat >> graph.prom <<PROM
traces_service_graph_request_total$labels 1000
traces_service_graph_request_failed_total$labels 20
traces_service_graph_request_client_seconds_sum$labels 50
traces_service_graph_request_client_seconds_count$labels 1000
PROM
done
cat > forewarn.toml <<'TOML'
[model]
path = "model.safetensors"

[source]
kind = "file"
path = "last-week.csv"

[store]
path = "store"

[events]
path = "events.ndjson"

[budget]
mode = "static"
TOML
for shard in 1 2; do
  sed -e "1i shard = \"$shard/2\"" -e "s/\"store\"/\"store-$shard\"/" -e "s/events.ndjson/events-$shard.ndjson/" \
    forewarn.toml > shard-$shard.toml
done
