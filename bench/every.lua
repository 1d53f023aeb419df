-- Asks for every path once: `%d` in the pattern becomes each number below `count`. Says so when all are answered.

local pattern, count
local asked, answered = 0, 0

function init(args)
  pattern, count = args[1], tonumber(args[2])
end

function request()
  local number = asked % count
  asked = asked + 1
  return wrk.format("GET", (pattern:gsub("%%d", number)))
end

function response()
  answered = answered + 1
  if answered == count then
    print("asked for all")
    io.flush()
  end
end
