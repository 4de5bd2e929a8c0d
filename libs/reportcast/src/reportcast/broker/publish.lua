-- Store a report, number it, keep it in the history and publish it: all or nothing, and only if it is new.
--
-- KEYS  state (hash), history (stream), names (sorted set)
-- ARGV  messages: the pub/sub channel
--       epoch:    identity of a stream that begins with this report; unused when there is one
--       digest:   of the body
--       stem:     name in the history
--       stamps:   the rest of the header, see encode_stamps
--       body
--       max_reports, max_bytes: of the history
-- Returns {epoch, offset, changed (0 or 1)}

local state, history, names = KEYS[1], KEYS[2], KEYS[3]
local messages, fresh_epoch, digest, stem, stamps, body = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local max_reports, max_bytes = tonumber(ARGV[7]), tonumber(ARGV[8])

-- A script is not rolled back, so what could fail half way is looked at first.
for key, kind in pairs({[state] = 'hash', [history] = 'stream', [names] = 'zset'}) do
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. found .. '; a ' .. kind .. ' is expected')
  end
end

local stored = redis.call('HMGET', state, 'epoch', 'offset', 'digest')
local epoch, offset = stored[1], tonumber(stored[2])
if epoch and stored[3] == digest then
  return {epoch, offset, 0}
end

if not epoch then -- an empty Redis, or one that lost this channel: a stream begins
  epoch, offset = fresh_epoch, 0
  redis.call('DEL', history, names)
  redis.call('HDEL', state, 'history_bytes')
end
offset = offset + 1

local name = stem .. '.json'
if redis.call('ZSCORE', names, name) then
  name = stem .. '+' .. offset .. '.json'
end
local message = '{"type":"snapshot","epoch":"' .. epoch .. '","offset":' .. offset .. ',"name":"' .. name .. '",'
  .. stamps .. '\n' .. body

redis.call('HSET', state, 'epoch', epoch, 'offset', offset, 'digest', digest, 'message', message)
redis.call('XADD', history, offset .. '-0', 'bytes', #body, 'message', message)
redis.call('ZADD', names, offset, name)
local kept = redis.call('ZCARD', names)
local bytes = redis.call('HINCRBY', state, 'history_bytes', #body)
while kept > 1 and (kept > max_reports or bytes > max_bytes) do
  local oldest = redis.call('XRANGE', history, '-', '+', 'COUNT', 1)[1]
  if not oldest then break end -- can't happen unless somebody deleted the stream by hand
  bytes = redis.call('HINCRBY', state, 'history_bytes', -oldest[2][2])
  redis.call('XDEL', history, oldest[1])
  redis.call('ZPOPMIN', names)
  kept = kept - 1
end

redis.call('PUBLISH', messages, message)
return {epoch, offset, 1}
