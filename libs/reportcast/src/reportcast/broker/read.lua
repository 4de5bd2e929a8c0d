-- Read all that a gateway needs to serve a channel, as of one moment.
--
-- KEYS  state (hash), deltas (stream)
-- Returns {snapshot, source, delta, delta, ...}: messages, oldest delta first; nil where there is none

local stored = redis.call('HMGET', KEYS[1], 'message', 'source')
local reply = {stored[1], stored[2]}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+')) do
  reply[#reply + 1] = entry[2][6]
end
return reply
