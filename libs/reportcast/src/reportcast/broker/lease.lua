-- Take or renew the lease of a channel where nobody else holds it.
--
-- KEYS  lease (string), state (hash)
-- ARGV  holder
--       ttl_ms: 0 gives the lease up
-- Returns {holder, fence ('' if another holds it), epoch, offset, has_report (0 or 1)}

local lease, state = KEYS[1], KEYS[2]
local holder, ttl_ms = ARGV[1], ARGV[2]

local current = redis.call('GET', lease)
local stored = redis.call('HMGET', state, 'epoch', 'offset', 'fence', 'digest')
local epoch, offset, fence = stored[1], stored[2], stored[3]
local has_report = stored[4] and 1 or 0
if current and current ~= holder then
  return {current, '', epoch, offset, has_report}
end
if ttl_ms == '0' then
  redis.call('DEL', lease)
  return {'', '', epoch, offset, has_report}
end
-- A tenure that ran out, also one's own, is another tenure: somebody else may have published in between.
if not current or not fence then
  -- The time in µs, and more than the last one: a number that no tenure had, also before the data was lost.
  local now = redis.call('TIME')
  local fresh = now[1] * 1000000 + now[2]
  fence = string.format('%.0f', math.max(fresh, (tonumber(fence) or 0) + 1))
  redis.call('HSET', state, 'fence', fence)
end
redis.call('SET', lease, holder, 'PX', ttl_ms)
return {holder, fence, epoch, offset, has_report}
