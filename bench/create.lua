-- Each request creates a text of 1 KiB that no other request has: the run's seed and a count lead it.
dofile("report.lua")

local headers = { ["Content-Type"] = "text/plain" }
local sentence = "The patient reports no new complaints since the last visit. "
local padding = string.rep(sentence, math.ceil(1024 / #sentence))
local seed, count = "", 0

function init(args)
  seed = args[1]
end

function request()
  count = count + 1
  local stamp = seed .. " " .. count .. "\n"
  return wrk.format("POST", nil, headers, stamp .. padding:sub(1, 1024 - #stamp))
end
