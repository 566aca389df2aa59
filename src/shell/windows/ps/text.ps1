# Runs PowerShell text as the host itself would: statement by statement, an error not ending it,
# its output as it comes. A nested pipeline does that, and tells `exit` and `throw` from a plain end.

# With what says how the last statement went, where that can be said.
function IomsWhole($text) {
    $whole = $text + "`n`n;" + '$global:Ioms.Fine=$?'
    try { [void][scriptblock]::Create($whole) } catch { return $text }
    $whole
}

function IomsShow($record) {
    $why = $record.Exception
    # What Invoke() wraps.
    if ($why -is [Management.Automation.MethodInvocationException] -and $why.InnerException) { $why = $why.InnerException }
    if ($why.ErrorRecord) { $record = $why.ErrorRecord }
    $text = ($record | Out-String).Trim()
    # A mistake in the text has no place in it to point at.
    if (-not $text) { $text = $record.Exception.Message }
    $Host.UI.WriteErrorLine($text)
}

# 0 for a good end, N for `exit N`; for a failed last statement the code of the native program that
# ran last, else 1.
function IomsCode {
    $last = $global:LASTEXITCODE -as [int]
    if ($Ioms.Fine -eq $true) { return 0 }
    if ($Ioms.Fine -eq $false -and -not $last) { return 1 }
    if ($last -eq $null) { return 0 }
    $last
}

function IomsPipeline($text, $scoped) {
    $pipeline = [Management.Automation.Runspaces.Runspace]::DefaultRunspace.CreateNestedPipeline()
    $pipeline.Commands.AddScript($text, $scoped)
    $pipeline.Commands[0].MergeMyResults('Error', 'Output')
    $pipeline.Commands.Add('Out-Default')
    , $pipeline
}
