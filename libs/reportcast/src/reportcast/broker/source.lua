-- Store and publish how the watched file fares.
--
-- KEYS  state (hash)
-- ARGV  messages: the pub/sub channel
--       fence:    of the publisher's lease; empty is not checked
--       message

if ARGV[2] ~= '' and redis.call('HGET', KEYS[1], 'fence') ~= ARGV[2] then
  return redis.error_reply('FENCED source')
end
redis.call('HSET', KEYS[1], 'source', ARGV[3])
redis.call('PUBLISH', ARGV[1], ARGV[3])
