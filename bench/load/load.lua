-- wrk's script: `wrk … -s load.lua URL -- REQUESTS NUMBER`.
-- REQUESTS holds whole requests, parted by a zero byte and sent in turn. A byte 1 in one stands for nine digits,
-- which count up from NUMBER, so that no two requests of a run are the same.
local heads, tails, count, turn, number = {}, {}, 0, 0, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local text = file:read("*a")
  file:close()
  number = tonumber(arguments[2])
  for each in (text .. "\0"):gmatch("([^%z]+)%z") do
    count = count + 1
    local mark = each:find("\1", 1, true)
    heads[count] = mark and each:sub(1, mark - 1) or each
    tails[count] = mark and each:sub(mark + 1) or false
  end
end

function request()
  turn = turn % count + 1
  local tail = tails[turn]
  if not tail then
    return heads[turn]
  end
  number = number + 1
  return heads[turn] .. string.format("%09d", number) .. tail
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n@{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
