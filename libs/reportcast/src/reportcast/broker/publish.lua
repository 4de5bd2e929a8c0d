-- Store a report, number it, keep it in the history and publish it: all or nothing, and only if it is new.
--
-- KEYS  state (hash), history (stream), names (sorted set), deltas (stream)
-- ARGV  messages: the pub/sub channel; empty puts a past report into the history alone, unless there is a newest one
--       fence:    of the publisher's lease; empty is not checked
--       epoch:    identity of a stream that begins with this report; unused when there is one
--       digest:   of the body
--       stem:     name in the history
--       stamps:   the rest of the header, see encode_stamps
--       body
--       base:     digest of the report that the delta starts from
--       delta:    what makes the body of it; empty if there is none
--       inline_bytes: what is larger is not put into the message; that there is something is told
--       max_reports, max_bytes: of the history
--       max_deltas, max_delta_bytes, max_delta_age_s: of the deltas
-- Returns {epoch, offset, changed (0 or 1), name}

local state, history, names, deltas = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local messages, fence, fresh_epoch, digest = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local stem, stamps, body, base, delta = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local inline_bytes, max_reports, max_bytes = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local max_deltas, max_delta_bytes, max_delta_age_s = tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15])
local past = messages == ''

-- A script is not rolled back, so what could fail half way is looked at first.
for key, kind in pairs({[state] = 'hash', [history] = 'stream', [names] = 'zset', [deltas] = 'stream'}) do
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. found .. '; a ' .. kind .. ' is expected')
  end
end

local stored = redis.call('HMGET', state, 'epoch', 'offset', 'digest', 'name', 'fence', 'server', 'delta_bytes')
local epoch, offset = stored[1], tonumber(stored[2])
if fence ~= '' and stored[5] ~= fence then
  return redis.error_reply('FENCED report')
end

-- A server that was started again, or took over from another, may have lost the last changes without knowing it. What
-- comes next must not be taken for one of those by who has them: it belongs to another epoch.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
local is_same_server = stored[6] == server
if epoch and (stored[3] == digest and is_same_server or past and stored[3]) then
  return {epoch, offset, 0, stored[4] or ''}
end

if not epoch then -- an empty Redis, or one that lost this channel: a stream begins
  epoch, offset = fresh_epoch, 0
  redis.call('DEL', history, names, deltas)
  redis.call('HDEL', state, 'history_bytes')
elseif not is_same_server then
  epoch = fresh_epoch
end
redis.call('HSET', state, 'server', server)

local function message_of(kind, more, content)
  return '{"type":"' .. kind .. '","epoch":"' .. epoch .. '","offset":' .. offset .. ',"name":"' .. stored[4] .. '",'
    .. more .. stamps .. '\n' .. content
end

local is_new = stored[3] ~= digest
if is_new then
  offset = offset + 1
  local name = stem .. '.json'
  if redis.call('ZSCORE', names, name) then
    if past then -- put back already, before the one who did was interrupted
      return {epoch, offset - 1, 0, name}
    end
    name = stem .. '+' .. offset .. '.json'
  end
  stored[4] = name
  redis.call('HSET', state, 'epoch', epoch, 'offset', offset)
  redis.call('XADD', history, offset .. '-0', 'bytes', #body, 'message', message_of('snapshot', '', body))
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
end
if past then
  return {epoch, offset, 1, stored[4]}
end

local snapshot = message_of('snapshot', '', body)
local notice = '{"type":"changed","epoch":"' .. epoch .. '","offset":' .. offset .. '}'
redis.call('HSET', state, 'epoch', epoch, 'digest', digest, 'name', stored[4], 'message', snapshot)

if is_new and is_same_server and delta ~= '' and stored[3] == base then
  local message = message_of('delta', '"base":"' .. base .. '",', delta)
  local now_s = tonumber(redis.call('TIME')[1])
  redis.call('XADD', deltas, offset .. '-0', 'bytes', #message, 'at', now_s, 'message', message)
  local kept, bytes = redis.call('XLEN', deltas), (tonumber(stored[7]) or 0) + #message
  while kept > 0 do
    local oldest = redis.call('XRANGE', deltas, '-', '+', 'COUNT', 1)[1]
    local is_old = now_s - tonumber(oldest[2][4]) > max_delta_age_s
    if kept <= max_deltas and bytes <= max_delta_bytes and not is_old then break end
    kept, bytes = kept - redis.call('XDEL', deltas, oldest[1]), bytes - tonumber(oldest[2][2])
  end
  redis.call('HSET', state, 'delta_bytes', bytes)
  redis.call('PUBLISH', messages, #message <= inline_bytes and message or notice)
else -- whoever was before this cannot come here step by step
  redis.call('DEL', deltas)
  redis.call('HSET', state, 'delta_bytes', 0)
  redis.call('PUBLISH', messages, #body <= inline_bytes and snapshot or notice)
end
return {epoch, offset, 1, stored[4]}
