-- What Kong's rewrite phase and its forwarded headers do, for Envoy. Early header mutations have
-- taken identity headers off and put the client's request id aside.
local function adopt_request_id(headers)
  local sent = headers:get("x-sent-request-id")
  headers:remove("x-sent-request-id")
  headers:remove("x-envoy-external-address")
  if sent and sent ~= "-" and #sent <= 64 and sent:find("^[A-Za-z0-9-]+$") then
    headers:replace("x-request-id", sent)
  end
end

local function keep_only_a_token(headers)
  local sent = headers:get("authorization")
  if not sent then return end
  local token = sent:match("^[Bb]earer +([%w_-]+%.[%w_-]+%.[%w_-]+)$")
  if token then
    headers:replace("authorization", "Bearer " .. token)
  else
    headers:remove("authorization")
  end
end

local function address(written)
  return (written or ""):match("^%[?(.-)%]?:%d+$") or ""
end

-- A proxy that is trusted may have said it before; what a client says of itself is replaced.
local function say(headers, name, value)
  if not (BEHIND_A_PROXY and headers:get(name)) then headers:replace(name, value) end
end

local function say_where_it_came_from(handle, headers, path)
  local stream = handle:streamInfo()
  local peer = address(stream:downstreamDirectRemoteAddress())
  -- For a peer on loopback Envoy appends an address of this machine instead.
  local before = (headers:get("x-forwarded-for") or ""):match("^(.*,)[^,]*$") or ""
  headers:replace("x-forwarded-for", before .. peer)
  -- Behind proxies that are trusted Envoy has found the last address that none of them has.
  headers:replace("x-real-ip", BEHIND_A_PROXY and address(stream:downstreamRemoteAddress()) or peer)
  say(headers, "x-forwarded-proto", "http")
  say(headers, "x-forwarded-host", headers:get(":authority") or "")
  say(headers, "x-forwarded-port", tostring(PORT))
  say(headers, "x-forwarded-path", path)
end

-- Escapes that stand for no character, or for the one that ends a string.
local function is_broken(path)
  return path:find("%%[^%x]") or path:find("%%%x[^%x]") or path:find("%%%x?$") or path:find("%%00")
end

-- As nginx has it: a tunnel would wait here for its time-out, an echo is of no use to anybody.
local REFUSED = {CONNECT = true, TRACE = true}

local RETRIED_AFTER_A_RESET = {GET = true, HEAD = true, OPTIONS = true, PUT = true, DELETE = true}

function envoy_on_request(handle)
  local headers = handle:headers()
  local path = (headers:get(":path") or ""):match("^[^?#]*")
  adopt_request_id(headers)
  keep_only_a_token(headers)
  say_where_it_came_from(handle, headers, path)
  if RETRIED_AFTER_A_RESET[headers:get(":method")] then
    headers:replace("x-envoy-retry-on", "reset")
  end
  local shown = path:gsub("(/links/+)[^/]+", "%1***"):gsub("(/links%%2[Ff]).*", "%1***")
  handle:streamInfo():dynamicMetadata():set("gateway", "path", shown)
  if REFUSED[headers:get(":method")] then
    handle:respond({[":status"] = "405"}, "Not allowed")
  elseif is_broken(path) or (headers:get(":authority") or ""):find(",", 1, true) then
    handle:respond({[":status"] = "400"}, "Bad request")
  end
end
