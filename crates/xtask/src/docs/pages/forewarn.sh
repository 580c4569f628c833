#!/bin/sh
# The program for the guides, with less to do: which model it is and how many days there are changes nothing of what a
# page shows, and the usual ones take minutes.
case "$1 $*" in
*--models*) ;;
evaluate*|train*|gate*) set -- "$@" --models logistic_snapshot ;;
esac
case $1 in
evaluate)
  # Without metrics it simulates months.
  case $* in
  *--input*|*--days*) ;;
  *) set -- "$@" --days 8 ;;
  esac
  ;;
gate)
  # The first simulation and seed: of the others the theoretical ceiling takes a minute each.
  for word do
    shift
    case $word in
    [a-z]*:[0-9]*,*|[0-9]*,[0-9]*) word=${word%%,*} ;;
    esac
    set -- "$@" "$word"
  done
  ;;
demo)
  # It would go on until somebody ends it. One shop is enough for all of the page.
  case $* in
  *--once*) ;;
  *--minutes*) set -- "$@" --speed 100000 ;;
  *) set -- "$@" --speed 100000 --minutes 5 ;;
  esac
  case $* in
  *--once*|*--folder*) ;;
  *) set -- "$@" --folder target/demo ;;
  esac
  ;;
watch)
  if grep -q '^follow = true' forewarn.toml; then
    # It would wait for more at the end of the file: two days of it, as they come, and Ctrl-C at its last hour.
    { head -n 1 last-week.csv; tail -n +2 last-week.csv | sort -s -t, -k1,1 | sed -n 1,11520p; } > metrics.csv
    last=$(tail -n 240 metrics.csv | head -n 1 | cut -d, -f1)
    "$FOREWARN" "$@" &
    until tail -c 1000000 events.ndjson 2>/dev/null | grep -q "$last"; do
      kill -0 $! || exit 1
      sleep 0.1
    done
    kill -INT $!
    wait $!
    exit
  fi
  ;;
esac
exec "$FOREWARN" "$@"
