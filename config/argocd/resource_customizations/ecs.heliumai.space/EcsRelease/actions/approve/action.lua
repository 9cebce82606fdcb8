-- All that waits now, by its ids: what begins to wait a moment later has another id and is not
-- approved. The controller reads 1024 bytes of them.
local ids = ""
for _, awaiting in ipairs(obj.status.awaiting or {}) do
  if #ids + 1 + #awaiting.id <= 1024 then
    if ids ~= "" then
      ids = ids .. ","
    end
    ids = ids .. awaiting.id
  end
end
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["ecs.heliumai.space/approve"] = ids
return obj
