-- Take or renew the lease of a channel where nobody else holds it.
--
-- KEYS  lease (string), state (hash)
-- ARGV  holder
--       ttl_ms: 0 gives the lease up
-- Returns {holder, fence ('' if another holds it), epoch, offset}

local lease, state = KEYS[1], KEYS[2]
local holder, ttl_ms = ARGV[1], ARGV[2]

local current = redis.call('GET', lease)
local stored = redis.call('HMGET', state, 'epoch', 'offset', 'fence')
local epoch, offset, fence = stored[1], stored[2], stored[3]
if current and current ~= holder then
  return {current, '', epoch, offset}
end
if ttl_ms == '0' then
  redis.call('DEL', lease)
  return {'', '', epoch, offset}
end
-- A tenure that ran out, also one's own, is another tenure: somebody else may have published in between.
if not current or not fence then
  fence = redis.call('HINCRBY', state, 'fence', 1)
end
redis.call('SET', lease, holder, 'PX', ttl_ms)
return {holder, tostring(fence), epoch, offset}
