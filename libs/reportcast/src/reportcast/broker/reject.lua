-- Keep a refused content and what is known of it, under one id.
--
-- KEYS  rejections (stream), rejected (stream)
-- ARGV  max_rejections, record, content

local id = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], '*', 'record', ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[1], id, 'content', ARGV[3])
