-- An EcsEndpoint follows kstatus: status.observedGeneration, Ready, and Reconciling or Stalled.
-- An endpoint that no controller has seen has observedGeneration -1.

local generation = obj.metadata.generation
local status = obj.status
if status == nil or status.observedGeneration == nil or status.observedGeneration < 0 or status.conditions == nil then
  return { status = "Progressing", message = "Waiting for the controller to see the endpoint" }
end
if generation ~= nil and status.observedGeneration ~= generation then
  return { status = "Progressing", message = "Waiting for the controller to see generation " .. generation }
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  if condition.observedGeneration == nil or condition.observedGeneration == status.observedGeneration then
    conditions[condition.type] = condition
  end
end

local function explained(condition)
  local message = condition.message or ""
  if message == "" then
    return condition.reason
  end
  return condition.reason .. ": " .. message
end

local ready, stalled = conditions.Ready, conditions.Stalled
if stalled ~= nil and stalled.status == "True" then
  return { status = "Degraded", message = explained(stalled) }
end
if ready == nil then
  return { status = "Progressing", message = "Waiting for the condition Ready" }
end
if ready.status == "True" then
  return { status = "Healthy", message = ready.message }
end
return { status = "Progressing", message = explained(ready) }
