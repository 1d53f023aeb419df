-- Prints wrk's own figures in one line that load.py reads.
function done(summary, latency)
  local e = summary.errors
  print(string.format("figures requests=%d us=%d errors=%d p50_us=%d p99_us=%d",
    summary.requests, summary.duration,
    e.connect + e.read + e.write + e.timeout + e.status,
    latency:percentile(50), latency:percentile(99)))
end
