# What the powershell module tells of a script's streams.

function secure($text) {
    $secret = New-Object Security.SecureString
    foreach ($sign in ([string]$text).ToCharArray()) { $secret.AppendChar($sign) }
    , $secret
}

function exception_shown($why) {
    if ($null -eq $why) { return $null }
    @{ message = $why.Message; type = $why.GetType().FullName; help_link = $why.HelpLink; source = $why.Source
        hresult = [Runtime.InteropServices.Marshal]::GetHRForException($why); inner_exception = exception_shown $why.InnerException }
}

function error_shown($record) {
    $details = $null
    if ($record.ErrorDetails) { $details = @{ message = $record.ErrorDetails.Message; recommended_action = $record.ErrorDetails.RecommendedAction } }
    $info = $record.CategoryInfo
    @{
        output = ($record | Out-String)
        error_details = $details
        exception = exception_shown $record.Exception
        target_object = $record.TargetObject
        category_info = @{ category = [string]$info.Category; category_id = [int]$info.Category; activity = $info.Activity
            reason = $info.Reason; target_name = $info.TargetName; target_type = $info.TargetType }
        fully_qualified_error_id = $record.FullyQualifiedErrorId
        script_stack_trace = $record.ScriptStackTrace
        pipeline_iteration_info = @($record.PipelineIterationInfo)
    }
}
