-- token_bucket.py in Lua, and a look into the cache, in one round trip.
-- KEYS: the bucket, and maybe a cached value's key.
-- ARGV: requests, period in microseconds, tokens, and the size in bytes from which on a value is a large one.
-- Gives {taken, full_at, now, missing, value, left}, times in microseconds, `left` in milliseconds until the
-- value is gone; value is false when there is none, and its length when it is a large one.
-- Redis's own clock: gateways with clocks apart would refill one bucket at different times.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local requests = tonumber(ARGV[1])
local interval = math.ceil(tonumber(ARGV[2]) / requests)
local capacity = interval * requests

local stored = tonumber(redis.call('GET', KEYS[1]) or 0)
local full_at = math.min(math.max(stored, now), now + capacity)
local missing = full_at + interval - now - capacity
local held = math.floor((now + capacity - full_at) / interval)
local tokens = tonumber(ARGV[3])
local taken = 0
if missing <= 0 then
  taken = held >= tokens * 10 and tokens or 1
end
full_at = full_at + taken * interval

-- Also when refused: a bucket of a limit lowered since must not stay as empty as the higher limit left it.
if full_at ~= stored then
  -- %.0f: tostring() would round a number this large. A full bucket is no bucket, so it may expire then.
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
end
if taken == 0 then
  return {0, full_at, now, missing, false, 0}
end

local value, left = false, 0
if KEYS[2] then
  local length = redis.call('STRLEN', KEYS[2])
  value = length > tonumber(ARGV[4]) and length or redis.call('GET', KEYS[2])
  left = value and redis.call('PTTL', KEYS[2]) or 0
end
return {taken, full_at, now, 0, value, left}
