-- token_bucket.py in Lua, and a look into the cache, in one round trip.
-- KEYS: the bucket, and maybe a cached value's key. ARGV: requests, period in microseconds.
-- Gives {allowed, full_at, now, missing, value}, times in microseconds; value is false when there is none, and
-- its length when it is larger than ARGV[3] bytes.
-- Redis's own clock: gateways with clocks apart would refill one bucket at different times.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local requests = tonumber(ARGV[1])
local interval = math.ceil(tonumber(ARGV[2]) / requests)
local capacity = interval * requests

local stored = tonumber(redis.call('GET', KEYS[1]) or 0)
local full_at = math.min(math.max(stored, now), now + capacity)
local missing = full_at + interval - now - capacity
local allowed = missing <= 0
if allowed then
  full_at = full_at + interval
end

-- Also when refused: a bucket of a limit lowered since must not stay as empty as the higher limit left it.
if full_at ~= stored then
  -- %.0f: tostring() would round a number this large. A full bucket is no bucket, so it may expire then.
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
end
if not allowed then
  return {0, full_at, now, missing, false}
end

local value = false
if KEYS[2] then
  local length = redis.call('STRLEN', KEYS[2])
  value = length > tonumber(ARGV[3]) and length or redis.call('GET', KEYS[2])
end
return {1, full_at, now, 0, value}
