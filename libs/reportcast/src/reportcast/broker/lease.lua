-- Take or renew the leases of channels where nobody else holds them: all in one call, which costs a fifth of one each.
--
-- KEYS  lease (string), state (hash) of each channel in turn
-- ARGV  holder
--       ttl_ms: 0 gives the leases up
-- Returns for each {holder, fence ('' if another holds it), epoch, offset, has_report (0 or 1)}, or the error

local holder, ttl_ms = ARGV[1], ARGV[2]

local function take(lease, state)
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
end

local replies = {}
for number = 1, #KEYS, 2 do
  -- What is wrong with one channel's keys is told of that one alone.
  local ok, reply = pcall(take, KEYS[number], KEYS[number + 1])
  if not ok then
    reply = redis.error_reply(type(reply) == 'table' and reply.err or tostring(reply))
  end
  replies[#replies + 1] = reply
end
return replies
