-- Each request asks for one of many paths: `%d` in the pattern becomes a number below `count`, by chance.
-- With `of` the numbers are spread: only every `count / of`th is asked for.
dofile("report.lua")

local pattern, count, of

function init(args)
  pattern, count, of = args[1], tonumber(args[2]), tonumber(args[3])
  math.randomseed(tonumber(args[4]))
end

function request()
  local number = math.floor(math.random(0, of - 1) * (count / of))
  return wrk.format("GET", (pattern:gsub("%%d", number)))
end
