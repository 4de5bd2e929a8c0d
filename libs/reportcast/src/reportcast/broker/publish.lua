-- Store a report, number it, keep it in the history and publish it: all or nothing, and only if it is new.
--
-- KEYS  state (hash), history (stream), names (sorted set)
-- ARGV  messages: the pub/sub channel; empty puts a past report into the history alone, unless there is a newest one
--       fence:    of the publisher's lease; empty is not checked
--       epoch:    identity of a stream that begins with this report; unused when there is one
--       digest:   of the body
--       stem:     name in the history
--       stamps:   the rest of the header, see encode_stamps
--       body
--       max_reports, max_bytes: of the history
-- Returns {epoch, offset, changed (0 or 1), name}

local state, history, names = KEYS[1], KEYS[2], KEYS[3]
local messages, fence, fresh_epoch, digest = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local stem, stamps, body = ARGV[5], ARGV[6], ARGV[7]
local max_reports, max_bytes = tonumber(ARGV[8]), tonumber(ARGV[9])
local past = messages == ''

-- A script is not rolled back, so what could fail half way is looked at first.
for key, kind in pairs({[state] = 'hash', [history] = 'stream', [names] = 'zset'}) do
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. found .. '; a ' .. kind .. ' is expected')
  end
end

local stored = redis.call('HMGET', state, 'epoch', 'offset', 'digest', 'name', 'fence')
local epoch, offset = stored[1], tonumber(stored[2])
if fence ~= '' and stored[5] ~= fence then
  return redis.error_reply('FENCED report')
end
if epoch and (stored[3] == digest or past and stored[3]) then
  return {epoch, offset, 0, stored[4] or ''}
end

if not epoch then -- an empty Redis, or one that lost this channel: a stream begins
  epoch, offset = fresh_epoch, 0
  redis.call('DEL', history, names)
  redis.call('HDEL', state, 'history_bytes')
end
offset = offset + 1

local name = stem .. '.json'
if redis.call('ZSCORE', names, name) then
  if past then -- put back already, before the one who did was interrupted
    return {epoch, offset - 1, 0, name}
  end
  name = stem .. '+' .. offset .. '.json'
end
local message = '{"type":"snapshot","epoch":"' .. epoch .. '","offset":' .. offset .. ',"name":"' .. name .. '",'
  .. stamps .. '\n' .. body

redis.call('HSET', state, 'epoch', epoch, 'offset', offset)
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

if not past then
  redis.call('HSET', state, 'digest', digest, 'name', name, 'message', message)
  redis.call('PUBLISH', messages, message)
end
return {epoch, offset, 1, name}
