# Values of the registry from what a playbook says.

# Bytes of `hex:be,ef`, `beef`, `0xbe,0xef`.
function registry_bytes($text) {
    $text = ($text.ToLower() -replace '^hex:', '') -replace '[^a-f0-9,x:]', ''
    if ($text -eq '') { return , [byte[]]@() }
    if ($text.IndexOfAny([char[]]',:') -ge 0) { $parts = $text.Split([char[]]',:') }
    elseif ($text.Length % 2) { $parts = @($text) }
    else { $parts = @([regex]::Matches($text, '[a-f0-9]{2}') | ForEach-Object { $_.Value }) }
    , [byte[]]@(foreach ($part in $parts) { if ($part -ne '') { [Convert]::ToByte($part, 16) } })
}

function registry_number($data, $bits, $kind) {
    if ($null -eq $data) { $data = 0 }
    if ($data -is [double] -and $data % 1) { fail "data '$data' cannot be a decimal or float value with a remainder when type is dword or qword" }
    try {
        $text = [string]$data
        if ($text -match '^\s*0x([0-9a-f]+)\s*$') { $number = [uint64]::Parse($Matches[1], 'HexNumber') }
        elseif ($text.Trim().StartsWith('-')) { $number = [BitConverter]::ToUInt64([BitConverter]::GetBytes([long]::Parse($text)), 0) }
        else { $number = [uint64]::Parse(([decimal]$data).ToString('0', $ioms_task.Invariant)) }
    } catch { fail "data '$data' is no number for type $kind" }
    $bytes = [BitConverter]::GetBytes([uint64]$number)
    if ($bits -eq 64) { return [BitConverter]::ToInt64($bytes, 0) }
    $above = [BitConverter]::ToInt32($bytes, 4)
    if ($above -ne 0 -and -not ($above -eq -1 -and $text.Trim().StartsWith('-'))) { fail 'data cannot be larger than 0xffffffff when type is dword' }
    [BitConverter]::ToInt32($bytes, 0)
}

function registry_data($data, $kind) {
    switch ([string]$kind) {
        { 'Binary', 'None' -contains $_ } {
            if ($null -eq $data) { $data = '' }
            if ($data -is [string]) { return , (registry_bytes $data) }
            foreach ($byte in @($data)) {
                if ([string]$byte -notmatch '^(0x[0-9a-fA-F]{1,2}|\d{1,3})$' -or [int]$byte -gt 255) {
                    fail "cannot convert binary data '$byte' to byte array, please specify this value as a yaml byte array or a comma separated hex value string"
                }
            }
            return , [byte[]]@(foreach ($byte in @($data)) { [byte][int]$byte })
        }
        'DWord' { return registry_number $data 32 dword }
        'QWord' { return registry_number $data 64 qword }
        'MultiString' {
            if ($null -eq $data) { return , [string[]]@() }
            return , [string[]]@(foreach ($line in @($data)) { [string]$line })
        }
        default {
            if ($data -is [array]) { fail "a list is no data for type $kind" }
            return [string]$data
        }
    }
}

function registry_differs($is, $wanted) {
    if ($is -isnot [array] -and $wanted -isnot [array]) { return $is -cne $wanted }
    $is = @($is); $wanted = @($wanted)
    if ($is.Length -ne $wanted.Length) { return $true }
    for ($at = 0; $at -lt $is.Length; $at++) { if ($is[$at] -cne $wanted[$at]) { return $true } }
    $false
}

# A hive file at HKLM:\ANSIBLE, as Ansible names it.
function registry_load($file) {
    if (-not [IO.File]::Exists($file)) { fail "hive at path '$file' is not valid or accessible, cannot load hive" }
    $said = & $env:ComSpec /d /c "reg.exe load HKLM\ANSIBLE ""$file"" 2>&1"
    if ($LASTEXITCODE) { fail "failed to load registry hive from '$file' to HKLM:\ANSIBLE: $said" }
    $true
}
function registry_unload {
    # Keys that were only dropped keep it loaded.
    [GC]::Collect()
    [GC]::WaitForPendingFinalizers()
    $said = & $env:ComSpec /d /c "reg.exe unload HKLM\ANSIBLE 2>&1"
    if ($LASTEXITCODE) { fail "failed to unload the registry hive at HKLM:\ANSIBLE: $said" }
}
